"""docs/roles.md says who may do what as the table of rights does, with the pages of each right."""

from collections import defaultdict

from practice.organisation.rights import MEANING, RIGHTS, ROLES, Right
from tests.generated import filled, rows
from tests.ours import ROOT
from web import routes as pages

DOCUMENT = ROOT / "docs" / "roles.md"


def tables() -> dict[str, str]:
    """By the names of their places."""
    used: defaultdict[Right, list[str]] = defaultdict(list)
    for page in pages.PAGES:
        if page.right is not None:
            used[page.right].append(f"`GET {page.path}`")
    for form in pages.FORMS:
        if (needed := form.right or form.page.right) is not None:
            used[needed].append(f"`POST {form.path}`")
    heads = [role.replace("_", " ") for role in ROLES]
    rights = [
        f"| `{right}` | {MEANING[right]} | {' | '.join('yes' if role in RIGHTS[right] else '' for role in ROLES)} |"
        for right in Right
    ]
    uses = [f"| `{right}` | {'<br>'.join(used[right]) or 'none'} |" for right in Right]
    return {
        "rights": rows(f"| right | what | {' | '.join(heads)} |", rights),
        "uses": rows("| right | pages and forms |", uses),
    }


def document() -> str:
    return filled(DOCUMENT, tables())


def test_the_document_says_what_the_table_says() -> None:
    assert DOCUMENT.read_text() == document(), "run: python -m tests.test_roles_document"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
