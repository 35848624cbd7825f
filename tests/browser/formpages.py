"""Pages that are forms, of which the address says nothing of anybody and that an owner may open."""

from practice.organisation.model import FIRST
from practice.organisation.rights import allowed
from web.routes import PAGES

FORM_PAGES = tuple(
    page for page in PAGES if "{" not in page.path and (page.right is None or allowed(page.right, FIRST))
)
