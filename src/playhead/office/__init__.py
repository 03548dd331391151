"""An office sandbox: 27 tools on a worker's mail, calendar, boards, customers and web visits.

It is an independent implementation of the rules of the WorkBench benchmark and reads any folder
with the same six CSV files; a small office of invented people comes along.
"""

from playhead.office._environment import OfficeEnvironment
from playhead.office._judge import OfficeCall, Verdict, as_replayed, judge, replay, same_tables
from playhead.office._office import WORKBENCH_NOW, Office, OfficeData
from playhead.office._tables import JsonValue, Table
from playhead.office._tasks import (
    SAMPLE_NOW,
    CallRecord,
    OfficeTask,
    WrittenRun,
    calls_of,
    read_tasks,
    sample_office,
    sample_runs,
    sample_tasks,
)
from playhead.office._tools import Effect, OfficeTool, live_args, observation_text

__all__ = [
    "SAMPLE_NOW",
    "WORKBENCH_NOW",
    "CallRecord",
    "Effect",
    "JsonValue",
    "Office",
    "OfficeCall",
    "OfficeData",
    "OfficeEnvironment",
    "OfficeTask",
    "OfficeTool",
    "Table",
    "Verdict",
    "WrittenRun",
    "as_replayed",
    "calls_of",
    "judge",
    "live_args",
    "observation_text",
    "read_tasks",
    "replay",
    "same_tables",
    "sample_office",
    "sample_runs",
    "sample_tasks",
]
