"""use_of(node): whether an expression in a test's source is the locator of a call, a constant, or any other value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal as OneOf

from self_heal_engine.literals import STRINGS, WRAPPERS, Node, text_of

# The kinds by the words of Selenium's By, in every binding; spaces, underscores and upper case apart.
BY = {
    "id": "id", "name": "name", "classname": "class_name", "css": "css", "cssselector": "css", "xpath": "xpath",
    "linktext": "link_text", "partiallinktext": "partial_link_text", "tagname": "tag_name",
}  # fmt: skip
WORDY = ("css selector", "xpath", "link text", "partial link text", "tag name", "class name")

# Playwright's and Testing Library's calls, and those of Selenium 3.
SEMANTIC = re.compile(
    r"(?:get|find|query)(all)?by(?:(role)|(testid)|(text)|(label)(?:text)?|(placeholder)(?:text)?|(alttext)|(title))"
)
SEMANTIC_KINDS = ("role", "test_id", "text", "label", "placeholder", "alt_text", "title")
SELENIUM_3 = re.compile(rf"findelements?by({'|'.join(BY)})")

# Calls whose first argument is Playwright's, Puppeteer's or WebdriverIO's selector: CSS, or what its beginning says.
SELECTOR = "selector"
SELECTORS = frozenset(
    "locator framelocator queryselector queryselectorall waitforselector evalonselector evalonselectorall "
    "$ $$ $eval $$eval".split()
)
PAGE_ACTIONS = frozenset(
    "click dblclick tap fill type press check uncheck setchecked hover focus selectoption setinputfiles isvisible "
    "ishidden isenabled isdisabled ischecked iseditable textcontent innertext innerhtml inputvalue getattribute "
    "dispatchevent draganddrop".split()
)
PAGE = re.compile(r"(?:^|[._#])\w*?(?:page|frame|popup|tab|window)\d*_?(?:\(\))?$", re.IGNORECASE)
OTHERS = {"getelementbyid": "id", "getelementsbyclassname": "class_name", "$x": "xpath"}

# Calls that find many elements, and what narrows a call to one of many, or asks how many there are.
MANY = re.compile(r"\w*(?:findelements|findall|getall|queryall|allby|allelements|numberofelements)\w*|elements")
MANY_NAMES = frozenset("queryselectorall evalonselectorall $$ $$eval $x getelementsbyclassname".split())
NARROWING = frozenset("nth eq get filter at slice or".split())
COUNTING = frozenset("count all each allinnertexts alltextcontents evaluateall tohavecount hascount".split())
LIMITING = frozenset("hastext has hasnot hasnottext".split())
ROLE_OPTIONS = frozenset("name exact hidden includehidden".split())

MEMBERS = ("attribute", "member_expression", "field_access")
CALLS = ("call", "call_expression", "method_invocation")
TUPLES = ("tuple", "list", "array", "argument_list", "arguments")


@dataclass(frozen=True, slots=True)
class Call:
    """A call in any of the languages, its name as the bindings share it and as written, and what it is given."""

    node: Node
    name: str
    written: str
    receiver: Node | None
    arguments: tuple[Node, ...]
    named: dict[str, Node]


@dataclass(frozen=True, slots=True)
class Use:
    """What an expression is: a locator of a ``kind``, a constant with a ``name``; ``trouble`` is why not to touch it.

    ``loose``: the call finds what only contains the value, too. ``inside``: it is looked for in another locator.
    ``member``: the constant is a property, always written behind what it belongs to.
    """

    place: OneOf["locator", "part", "constant", "key", "value"]
    kind: str = ""
    trouble: str = ""
    call: Call | None = None
    name: str = ""
    loose: bool = False
    inside: bool = False
    member: bool = False


VALUE = Use("value")
KEY = Use("key")


def normal(name: str) -> str:
    """Return a name as the bindings of every language have it."""
    return re.sub(r"[\s_-]", "", name).lower()


def unwrapped(node: Node) -> Node:
    """Return the expression with the brackets and types around it."""
    while node.parent is not None and node.parent.type in WRAPPERS:
        node = node.parent
    return node


def use_of(node: Node) -> Use:
    """Return what an expression, a string or the name of one, is used as."""
    node = unwrapped(node)
    parent = node.parent
    if parent is None:
        return VALUE
    if kind := by_before(node):
        call = call_of(parent.parent) if parent.type in TUPLES[3:] else None
        return located(node, kind, call)
    if annotated := annotation_kind(node):
        return annotated
    if given := argument(node):
        call, at = given
        if kind := kind_of_argument(call, at):
            return Use("part") if kind == "part" else located(node, kind, call)
    return constant(node) or (KEY if is_key(node) else VALUE)


def located(node: Node, kind: str, call: Call | None) -> Use:
    """Return the use as a locator, with what speaks against a rewrite."""
    if call is None:
        return Use("locator", kind, many(node))
    scope = None if call.receiver is None else call_of(call.receiver)
    inside = scope is not None and any(kind_of_argument(scope, 0) for _ in scope.arguments)
    exact = text_of(call.named.get("exact")).lower() == "true"
    loose = not exact and kind != "test_id" and (call.name == "contains" or bool(SEMANTIC.fullmatch(call.name)))
    return Use("locator", kind, limited(call) or many(node) or narrowed(call), call, loose=loose, inside=inside)


# -- calls -----------------------------------------------------------------------------------------------------------


def call_of(node: Node | None) -> Call | None:
    """Return the call that a node is, or None."""
    if node is None or node.type not in CALLS:
        return None
    if node.type == "method_invocation":
        name, receiver = node.child_by_field_name("name"), node.child_by_field_name("object")
    else:
        function = node.child_by_field_name("function")
        if function is None:
            return None
        receiver = function.child_by_field_name("object")
        name = function.child_by_field_name("attribute") or function.child_by_field_name("property") or function
    arguments, named = list[Node](), dict[str, Node]()
    given = node.child_by_field_name("arguments")
    for each in [] if given is None or given.type == "template_string" else given.named_children:
        if each.type == "keyword_argument":
            pairs = [(each.child_by_field_name("name"), each.child_by_field_name("value"))]
        elif each.type == "object":
            pairs = [
                (pair.child_by_field_name("key"), pair.child_by_field_name("value")) for pair in each.named_children
            ]
        elif each.type == "comment":
            continue
        else:
            arguments.append(each)
            continue
        named |= {normal(text_of(key).strip("'\"")): value for key, value in pairs if key and value}
    return Call(node, normal(text_of(name)), text_of(name), receiver, tuple(arguments), named)


def argument(node: Node) -> tuple[Call, int | str] | None:
    """Return the call that an expression is given to, and its place or name there."""
    parent = node.parent
    if (
        parent is not None
        and parent.type in ("keyword_argument", "pair")
        and parent.child_by_field_name("value") == node
    ):
        key = parent.child_by_field_name("name") or parent.child_by_field_name("key")
        above = parent.parent
        if parent.type == "pair":
            above = None if above is None else above.parent
        call = call_of(above.parent) if above is not None and above.type in ("argument_list", "arguments") else None
        return (call, normal(text_of(key).strip("'\""))) if call else None
    if parent is not None and parent.type in ("argument_list", "arguments"):
        call = call_of(parent.parent)
        if call and node in call.arguments:
            return call, call.arguments.index(node)
    return None


def kind_of_argument(call: Call, at: int | str) -> str | None:
    """Return the kind of locator that a call takes at a place; ``part`` for a part of one, the name of a role."""
    receiver = text_of(call.receiver)
    last = receiver.rpartition(".")[2]
    semantic = SEMANTIC.fullmatch(call.name)
    if semantic and semantic[2] and at == "name":
        return "part"
    if call.name in ("findelement", "findelements"):
        return strategy(call, at)
    if at == "selector" and call.name in PAGE_ACTIONS | SELECTORS:
        return SELECTOR
    if at != 0:
        return SELECTOR if call.name == "draganddrop" and at == 1 and PAGE.search(receiver) else None
    if last.lower().endswith("by") and call.name in BY:
        return BY[call.name]
    if semantic:
        return SEMANTIC_KINDS[next(at for at, part in enumerate(semantic.groups()[1:]) if part)]
    if old := SELENIUM_3.fullmatch(call.name):
        return BY[old[1]]
    if call.name in SELECTORS or (call.name in PAGE_ACTIONS and PAGE.search(receiver)):
        return SELECTOR
    return OTHERS.get(call.name) or cypress(call, receiver)


def strategy(call: Call, at: int | str) -> str | None:
    """Return the kind that stands beside the value in Selenium's ``find_element``."""
    if isinstance(at, str) and at in BY:
        return BY[at]  # findElement({ css: "#go" })
    if at not in (1, "value"):
        return None
    by = call.named.get("by") or (call.arguments[0] if call.arguments else None)
    if by is None:
        return None
    said = text_of(by)
    return BY.get(normal(said.strip("'\"") if by.type in STRINGS else said.rpartition(".")[2]))


def cypress(call: Call, receiver: str) -> str | None:
    """Return the kind that a call of Cypress takes, or of what else chains ``.find``."""
    ours = receiver == "cy" or receiver.startswith("cy.")
    if ours and call.name == "contains":
        return "text"
    if ours and call.name == "xpath":
        return "xpath"
    scripted = call.node.type == "call_expression"  # other languages find in strings, too
    if (receiver == "cy" and call.name == "get") or (call.name == "find" and (scripted or receiver.startswith("$("))):
        return "css"
    return None


def by_before(node: Node) -> str | None:
    """Return the kind of ``By.ID, "go"``, in a tuple or in any call, or of a tuple ``("css selector", "#go")``."""
    if node.parent is None or node.parent.type not in TUPLES:
        return None
    beside = [each for each in node.parent.named_children if each.type != "comment"]
    if node not in beside or (at := beside.index(node)) == 0:
        return None
    before = beside[at - 1]
    owner, _, word = text_of(before).rpartition(".")
    if before.type in MEMBERS and owner.rpartition(".")[2].endswith("By"):
        return BY.get(normal(word))
    pair = node.parent.type in TUPLES[:3] and len(beside) == 2 and before.type in STRINGS
    return BY[normal(text_of(before)[1:-1])] if pair and text_of(before)[1:-1] in WORDY else None


def annotation_kind(node: Node) -> Use | None:
    """Return the use in ``@FindBy(css = "#go")`` or ``@FindBy(how = How.CSS, using = "#go")``."""
    pair = node.parent
    if pair is None or pair.type != "element_value_pair" or pair.parent is None or pair.parent.parent is None:
        return None
    annotation = pair.parent.parent
    if not text_of(annotation.child_by_field_name("name")).endswith("FindBy"):
        return None
    given = {
        text_of(each.child_by_field_name("key")): text_of(each.child_by_field_name("value"))
        for each in pair.parent.named_children
    }
    key = text_of(pair.child_by_field_name("key"))
    how = given.get("how", "").rpartition(".")[2] if key == "using" else key
    kind = BY.get(normal(how))
    field = annotation.parent.parent if annotation.parent else None
    listed = field is not None and text_of(field.child_by_field_name("type")).startswith("List")
    trouble = "the field holds many elements, and the healed locator finds one" if listed else ""
    return Use("locator", kind, trouble) if kind else None


# -- what speaks against it --------------------------------------------------------------------------------------------


def limited(call: Call) -> str:
    """Return what else is given to the call that decides which element it finds, in words; empty for nothing."""
    if extra := sorted(LIMITING & call.named.keys()):
        return f"{option(call, extra[0])} narrows the call"
    semantic = SEMANTIC.fullmatch(call.name)
    if semantic and semantic[2] and (extra := sorted(call.named.keys() - ROLE_OPTIONS)):
        return f"{option(call, extra[0])} narrows the call"
    if call.name == "contains" and len(call.arguments) > 1:
        return "it is one of several arguments that find the element together"
    return ""


def option(call: Call, name: str) -> str:
    """Return how an option of a call is written."""
    pair = call.named[name].parent
    return name if pair is None else text_of(pair.child_by_field_name("name") or pair.child_by_field_name("key"))


def many(node: Node) -> str:
    """Return that the calls around a locator look for many elements, in words; empty if they do not."""
    at: Node | None = node
    while at is not None and (
        at.type in (*TUPLES, *CALLS, *WRAPPERS, "keyword_argument", "pair", "object") or at == node
    ):
        call = call_of(at)
        if call and (MANY.fullmatch(call.name) or call.name in MANY_NAMES):
            return f"{call.written} finds many elements, and the healed locator finds one"
        if call and at != node and not MANY.fullmatch(call.name) and call.name not in BY:
            return ""
        at = at.parent
    return ""


def narrowed(call: Call) -> str:
    """Return what narrows the call to one of many elements, or counts them, in words; empty for nothing."""
    node = call.node
    while True:
        node = unwrapped(node)
        parent = node.parent
        if parent is None:
            return ""
        if parent.type == "await_expression" or parent.type == "await":
            node = parent
        elif parent.type in ("subscript", "subscript_expression") and parent.named_children[0] == node:
            return "" if text_of(parent.named_children[1]) == "0" else "an index behind the call narrows it"
        elif parent.type in (*MEMBERS, "method_invocation") and parent.child_by_field_name("object") == node:
            outer = call_of(parent if parent.type == "method_invocation" else parent.parent)
            after = outer if outer and outer.receiver == node else None
            if after and after.name in NARROWING | COUNTING:
                first = text_of(after.arguments[0]) if after.arguments else ""
                if after.name not in ("nth", "eq", "get", "at") or first != "0":
                    return f"{after.written} behind the call says that it finds many elements"
            if after and any(kind_of_argument(after, at) for at in range(len(after.arguments))):
                return ""  # from here on it is another locator
            node = after.node if after else parent
        elif (given := argument(node)) and given[0].name in ("expect", "assertthat"):
            node = given[0].node
        else:
            return ""


# -- constants -------------------------------------------------------------------------------------------------------

# By the node that gives a value a name: the field of the name, the field of the value.
NAMED = {
    "assignment": ("left", "right"),
    "default_parameter": ("name", "value"),
    "typed_default_parameter": ("name", "value"),
    "variable_declarator": ("name", "value"),
    "assignment_expression": ("left", "right"),
    "pair": ("key", "value"),
    "field_definition": ("property", "value"),
    "public_field_definition": ("name", "value"),
    "enum_assignment": ("name", "value"),
    "assignment_pattern": ("left", "right"),
}
PROPERTIES = ("pair", "field_definition", "public_field_definition", "enum_assignment")


def constant(node: Node) -> Use | None:
    """Return the use as the value of a constant, a field or a property, or None."""
    parent = node.parent
    if parent is None or parent.type not in NAMED:
        return None
    of_name, of_value = NAMED[parent.type]
    target = parent.child_by_field_name(of_name)
    if target is None or parent.child_by_field_name(of_value) != node:
        return None
    member = parent.type in PROPERTIES or target.type in MEMBERS
    if target.type in MEMBERS:
        target = target.named_children[-1]
    name = text_of(target).strip("'\"")
    return Use("constant", name=name, member=member) if re.fullmatch(r"[#$\w-]+", name) else None


def is_key(node: Node) -> bool:
    """Return whether a string only names something (a key, a module, a JSX attribute, a type) or says nothing."""
    parent = node.parent
    if parent is None or parent.type in ("jsx_attribute", "literal_type", "import_statement", "expression_statement"):
        return True
    if parent.type in ("subscript", "subscript_expression"):
        return parent.named_children[0] != node
    return parent.type in ("pair", "export_statement") and parent.child_by_field_name("value") != node


def declares(node: Node) -> bool:
    """Return whether a node is the name that a value is given."""
    parent = node.parent
    return parent is not None and parent.type in NAMED and parent.child_by_field_name(NAMED[parent.type][0]) == node


REFERENCES = ("identifier", "property_identifier", "private_property_identifier")
DECLARING = (
    "import_specifier", "export_specifier", "import_clause", "dotted_name", "aliased_import", "scoped_identifier",
    "function_definition", "class_definition", "method_declaration", "method_definition", "function_declaration",
    "class_declaration", "parameters", "formal_parameter", "formal_parameters", "required_parameter", "typed_parameter",
)  # fmt: skip


def reference(node: Node) -> Node | None:
    """Return the expression that may name a constant at a node: ``self.LOGIN``, ``sel["login"]``; or None."""
    parent = node.parent
    if parent is None:
        return None
    if node.type in STRINGS:
        index = parent.type in ("subscript", "subscript_expression") and parent.named_children[0] != node
        return parent if index else None
    if node.type not in REFERENCES or parent.type in DECLARING:
        return None
    whole = node
    if parent.type in MEMBERS and parent.named_children[-1] == node:
        whole, parent = parent, parent.parent
    if parent is None:
        return None
    called = parent.type in CALLS and node in (parent.child_by_field_name("name"), whole)
    if called or whole == parent.child_by_field_name("function"):
        return None
    named = parent.type in NAMED and parent.child_by_field_name(NAMED[parent.type][0]) == whole
    return (
        None if named or (parent.type == "keyword_argument" and parent.child_by_field_name("name") == whole) else whole
    )
