"""What tells an archive of ours from another, by which version of it was made, and where in it all of it stands."""

from typing import Final

FORMAT: Final = "spreekkamer-account"
VERSION: Final = 2
"""Of the files: counts changes that a reader has to know. Since 2 an address is ``mail`` and ``phone``."""

ACCOUNT: Final = "account.json"
