"""Realistic pages that several tests look at: the bundled shop, and hand-written ones with what browsers mend."""

from importlib.resources import files

SHOP_BEFORE, SHOP_AFTER = (
    (files("self_heal_engine") / "examples" / name).read_text("utf-8") for name in ("shop_before.html", "shop_after.html")
)

ADMIN = """<!doctype html><html><head><title>Users</title><style>.x{color:red}</style></head><body class="admin">
<nav aria-label="Main"><ul><li><a href="/dashboard" class="active">Dashboard</a><li><a href="/users">Users</a>
<li><a href="/settings">Settings</a></ul></nav>
<main><h1>Users <small>(3)</small></h1>
<form id="filter" action="/users"><p><label>Search <input name=q type=search></label>
<select name="role" aria-label="Role"><option value="">All<option value=a selected>Admin<option value=u>User</select>
<button>Filter</button></form>
<table class="table"><thead><tr><th>Name<th>E-mail<th>Actions</thead>
<tr><td>Ann <b>Lee</b></td><td><a href="mailto:ann@example.org">ann@example.org</a></td>
<td><button class="edit" data-id=1>Edit</button><button class="delete" data-id=1>Delete</button>
<tr><td>Bob Ray</td><td>bob@example.org</td><td><button class="edit" data-id=2>Edit</button><button class="delete" data-id=2>Delete</button>
<tr><td>Cy Dee</td><td>cy@example.org</td><td><button class="edit" data-id=3>Edit</button><button class="delete" data-id=3>Delete</button>
</table>
<p>One<p>Two <em>and <strong>more</em> text</strong>
<svg width="10" height="10"><title>Chart</title><g><path d="M0 0"/></g></svg>
<div hidden><button>Invisible</button></div><div style="display: none"><a href="/x">Gone</a></div>
<details><summary>More</summary><p>Inside</p></details></main>
<footer><a href="/imprint">Imprint</a> <a href="/privacy">Privacy</a></footer></body></html>"""

BROKEN_MARKUP = """<title>Soup</title><p>One<div>Two</p><table><tr><td>cell<b>bold</table>after</b>
<ul><li>a<li>b<ul><li>c</ul></ul><a href=1>one<a href=2>two</a><form><form><input></form><br></br><image src=x>
<select><option>1<option>2</select><h1>head</h2><nobr>x<nobr>y<button><button>b</button>"""

EXAMPLE_PAGES = [SHOP_BEFORE, SHOP_AFTER, ADMIN, BROKEN_MARKUP]
