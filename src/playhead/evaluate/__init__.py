"""Layer 5: suites of tasks, trials of agents, and what is to be made of their scores."""

from playhead.evaluate._annotate import (
    Annotated,
    Annotation,
    Rated,
    annotate,
    annotation_tapes,
    ratings,
    read_annotations,
    target_of,
)
from playhead.evaluate._find import find_candidate, find_suite, read_suite, suite_schema
from playhead.evaluate._gate import GateCondition, GateFinding, check_gate, gate_values
from playhead.evaluate._results import EvaluationResult, TrialResult, read_evaluation, result_of
from playhead.evaluate._scorer import FunctionScorer, Judgement, Scorer, scorer
from playhead.evaluate._select import select_tasks
from playhead.evaluate._suite import Suite
from playhead.evaluate._summarise import scorer_names, summarise
from playhead.evaluate._summary import (
    Amount,
    CandidateSummary,
    Cell,
    Figure,
    Pair,
    Summary,
    TaskSummary,
)
from playhead.evaluate._task import Task
from playhead.evaluate._trial import (
    AgentFactory,
    Candidate,
    EnvironmentFactory,
    Trial,
    TrialRun,
    trial_seed,
)
from playhead.evaluate.report import write_csv, write_html, write_html_sync, write_json
from playhead.evaluate.running._events import (
    Counts,
    EvaluationBeganEvent,
    EvaluationEvent,
    OnEvaluationEvent,
    TrialAgainEvent,
    TrialBeganEvent,
    TrialEndedEvent,
    WorkerDiedEvent,
)
from playhead.evaluate.running._executor import Executor, LocalExecutor
from playhead.evaluate.running._one import Assignment, Outcome, Trials
from playhead.evaluate.running._processes import ProcessExecutor
from playhead.evaluate.running._run import run_suite, run_suite_sync
from playhead.evaluate.running._source import Source
from playhead.evaluate.scorers._answer_parts import ContainsPart, EqualsPart, JsonPart, MatchesPart
from playhead.evaluate.scorers._answers import (
    answer_contains,
    answer_equals,
    answer_json,
    answer_matches,
)
from playhead.evaluate.scorers._checks import CheckPart, CheckScorer
from playhead.evaluate.scorers._judge import JudgePart, ModelJudge
from playhead.evaluate.scorers._part import Condition, ScorerPart
from playhead.evaluate.scorers._predicates import CallPattern, StepFault, StepPredicate
from playhead.evaluate.scorers._rubric import Criterion, Rubric, RubricPart
from playhead.evaluate.scorers._states import FinalState, StateOffering, StatePart
from playhead.evaluate.scorers._steps import (
    StepsPart,
    StepsScorer,
    at_most,
    calls,
    calls_together,
    never_calls,
    never_uses,
    no_tool_errors,
)
from playhead.evaluate.scorers._verdict import Grade
from playhead.evaluate.scorers._view import TRIAL_MEMBERS, ToolUse, tool_uses, trial_view

__all__ = [
    "TRIAL_MEMBERS",
    "AgentFactory",
    "Amount",
    "Annotated",
    "Annotation",
    "Assignment",
    "CallPattern",
    "Candidate",
    "CandidateSummary",
    "Cell",
    "CheckPart",
    "CheckScorer",
    "Condition",
    "ContainsPart",
    "Counts",
    "Criterion",
    "EnvironmentFactory",
    "EqualsPart",
    "EvaluationBeganEvent",
    "EvaluationEvent",
    "EvaluationResult",
    "Executor",
    "Figure",
    "FinalState",
    "FunctionScorer",
    "GateCondition",
    "GateFinding",
    "Grade",
    "JsonPart",
    "JudgePart",
    "Judgement",
    "LocalExecutor",
    "MatchesPart",
    "ModelJudge",
    "OnEvaluationEvent",
    "Outcome",
    "Pair",
    "ProcessExecutor",
    "Rated",
    "Rubric",
    "RubricPart",
    "Scorer",
    "ScorerPart",
    "Source",
    "StateOffering",
    "StatePart",
    "StepFault",
    "StepPredicate",
    "StepsPart",
    "StepsScorer",
    "Suite",
    "Summary",
    "Task",
    "TaskSummary",
    "ToolUse",
    "Trial",
    "TrialAgainEvent",
    "TrialBeganEvent",
    "TrialEndedEvent",
    "TrialResult",
    "TrialRun",
    "Trials",
    "WorkerDiedEvent",
    "annotate",
    "annotation_tapes",
    "answer_contains",
    "answer_equals",
    "answer_json",
    "answer_matches",
    "at_most",
    "calls",
    "calls_together",
    "check_gate",
    "find_candidate",
    "find_suite",
    "gate_values",
    "never_calls",
    "never_uses",
    "no_tool_errors",
    "ratings",
    "read_annotations",
    "read_evaluation",
    "read_suite",
    "result_of",
    "run_suite",
    "run_suite_sync",
    "scorer",
    "scorer_names",
    "select_tasks",
    "suite_schema",
    "summarise",
    "target_of",
    "tool_uses",
    "trial_seed",
    "trial_view",
    "write_csv",
    "write_html",
    "write_html_sync",
    "write_json",
]
