"""The codes of stage KNO: knowledge."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

NO_FOLDER = Code(
    "KNO001",
    "there is no folder of this name",
    "What was named does not exist, is no folder or cannot be read. Nothing was changed.",
    "atomctl knowledge sync docs    # a folder with Markdown files",
    ExitCode.USAGE,
)
TOO_MANY_FILES = Code(
    "KNO002",
    "the folder holds too many pages",
    "At most 5,000 Markdown files are taken from one folder. Nothing was changed.",
    "sync its folders one by one, each under a name of its own: --as NAME",
    ExitCode.USAGE,
)
BINARY = Code(
    "KNO003",
    "the page is no text",
    "It holds zero bytes, so it is something else than Markdown. What was known of it before stays.",
    "take the file out of the folder, or give it another ending than .md",
    ExitCode.USAGE,
    422,
)
NOT_UTF8 = Code(
    "KNO004",
    "the page is not encoded in UTF-8",
    "Some of its bytes are no UTF-8, and guessing an encoding would put wrong words into answers. What was known of it "
    "before stays.",
    "iconv -f latin1 -t utf-8 page.md > page.utf8.md",
    ExitCode.USAGE,
    422,
)
TOO_LARGE = Code(
    "KNO005",
    "the page is too large",
    "A page may have 1 MiB and give 2,000 passages. What was known of it before stays.",
    "split it into pages, each about one thing",
    ExitCode.USAGE,
    413,
)
OUTSIDE = Code(
    "KNO006",
    "the page lies outside of the folder",
    "It is a symbolic link, or lies behind one, that leads out of the folder. It was not read.",
    "copy the file into the folder",
    ExitCode.USAGE,
    422,
)
EMPTY = Code(
    "KNO007",
    "the page says nothing",
    "There is no text in it besides headings and comments. What was known of it before stays.",
    "write something, or take the file out of the folder",
    ExitCode.USAGE,
    422,
)
UNREADABLE = Code(
    "KNO008",
    "the page cannot be read",
    "The system refused to read the file. What was known of it before stays.",
    "ls -l FILE",
    ExitCode.USAGE,
)
BAD_NAME = Code(
    "KNO009",
    "this cannot name a collection or a page",
    "Names have 1 to 500 characters, no control characters, no empty part and no `..`; `runs` is taken. Nothing was "
    "changed.",
    "give the collection a name: atomctl knowledge sync FOLDER --as NAME",
    ExitCode.USAGE,
    422,
)
NO_PAGES = Code(
    "KNO010",
    "there are no pages",
    "The folder or the package has no Markdown file. What was known before stays.",
    "Markdown files end in .md; in a package that is README.md and what lies under files/",
    ExitCode.NO,
    422,
)
BAD_QUESTION = Code(
    "KNO020",
    "this is no question",
    "A question has 1 to 1,000 characters, at least one of them a letter or a digit. Nothing was looked up.",
    'atomctl ask "how do I restore a backup?"',
    ExitCode.USAGE,
    422,
)
NOTHING_KNOWN = Code(
    "KNO021",
    "nothing is known yet",
    "This tenant has no pages to answer from.",
    "atomctl knowledge sync docs    # a folder with Markdown files",
    ExitCode.NO,
    422,
)
WRONG_DIMENSION = Code(
    "KNO030",
    "the model's vectors do not fit the index",
    "The index holds vectors of 384 numbers; the configured model gives others. Nothing was stored; words are still "
    "searched for, and vectors of other models stay as they are.",
    "use a model of 384 dimensions, such as all-MiniLM-L6-v2 or text-embedding-3-small with dimensions=384",
    ExitCode.USAGE,
    422,
)
NO_EXTENSION = Code(
    "KNO031",
    "the database has no pgvector",
    "Search by meaning needs the extension `vector` (0.8 or newer) in the database. Search by words works without it.",
    "CREATE EXTENSION vector;    -- as a superuser, in ATOM's database; then: atomctl db migrate",
    ExitCode.SERVICE,
    503,
)
NO_VECTORS = Code(
    "KNO032",
    "nothing was read with this model yet",
    "Vectors of different models are never compared. Until the next sync only words are searched for.",
    "atomctl knowledge sync FOLDER    # once for each collection",
    ExitCode.NO,
    422,
)
