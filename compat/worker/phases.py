"""What a worker does, one after the other, as its stream says it: the last one begun goes on."""

from __future__ import annotations

# Its interpreter starts, which the stream cannot say.
START = "start"
IMPORT = "import"
ENVIRONMENT = "environment"
COLLECT = "collect"
WARM_UP = "warm up"
# Of a path of a subject: what it needs of the subject is imported.
IMPORT_SUBJECT = "import subject"
PROBE = "probe"
END = "end"
