"""Realistic pages that several tests look at: the bundled shop, and hand-written ones with what browsers mend."""

from importlib.resources import files

SHOP_BEFORE, SHOP_AFTER = (
    (files("self_heal_engine") / "examples" / name).read_text("utf-8")
    for name in ("shop_before.html", "shop_after.html")
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

CONTROLS = """<body><form aria-label="F"><label for=a>User <b>name</b></label><input id=a><input type=password placeholder=Secret><input type=submit><input type=reset><input type=button value="Push"><input type=image alt="Go"><input type=image>
<label>Wrap <input type=checkbox> tail</label><label>Pick <select><option>A<option selected>B</select> now</label><select multiple aria-label=Many><option>x</select><textarea title=Tip></textarea>
<button aria-labelledby="l1 l2">z</button><span id=l1>One</span><span id=l2>Two</span><button title=T></button><button><img alt="Pic"> text</button><a href=#><svg><title>Icon</title></svg></a><a>nolink</a>
<fieldset><legend>Leg</legend><input type=radio name=r aria-label=R></fieldset><figure><figcaption>Cap</figcaption><img src=x></figure><img alt=""><img alt="" title="tt"><img><table><caption>Tab</caption><tr><th scope=row>H</th><td>1 <input value=5></td></tr></table>
<div role=button>div <div>block</div> button</div><div role="foo link" tabindex=0>lk</div><ul role=none><li>item</ul><button role=presentation>pp</button><nav role=none aria-label=x></nav>
<input list=dl><datalist id=dl><option value=1></datalist><input type=search><input type=date><input type=file><input type=color><input type=range value=3><input type=number><input type=email><progress value=1></progress><meter value=1>m</meter><output>o</output>
<details><summary>Sum</summary>x</details><section aria-label=S>s</section><section>t</section><article><header>h</header><footer>f</footer></article><h2>Head <small>sm</small><br>br</h2><h3 aria-label="AL">x</h3>
<button><span aria-hidden=true>x</span> Close</button><button><span hidden>x</span>Open</button><button style="display:none">no</button><div role=tab>Tab <i title="ii"></i></div><div role=heading aria-level=3>RH</div><a href=x><img src=y alt="Logo"></a><a href=y aria-label="">empty</a><button aria-label="  ">blank</button>
<div role=checkbox aria-checked=true>cb</div><div role=menu><div role=menuitem>mi</div></div><dl><dt>t<dd>d</dl><p>para <em>em</em></p><blockquote>q</blockquote><time>now</time><code>c</code><label for=zz>orphan</label><dialog open aria-label=dlg>d</dialog><address>ad</address><hgroup>h</hgroup><iframe title=if></iframe><audio controls></audio><video></video><canvas>cv</canvas><object></object><area href=x alt=ar><input type=submit value="" title="tip"><button><p>a</p><p>b</p></button><a href=q>x<span> y </span>z</a><table><tr><td>cell <nav aria-label=n>nav</nav> <details><summary>s</summary>d</details><ul><li>li</ul></td>
<td><a href=z role=button style="color:red">styled</a><div role=group>group</div><div role=generic>gen</div></td>
<td><footer>foot</footer><article>art</article><span style="display:none">none</span> seen</td></tr></table>
<button style="display:none"><i>hidden</i> name</button><h4><div role=textbox>typed</div> label</h4>
"""

EXAMPLE_PAGES = [SHOP_BEFORE, SHOP_AFTER, ADMIN, BROKEN_MARKUP, CONTROLS]
