"""The state of a form that is being filled: checks each step, and refuses a wrong one."""

from examples.forms.state import _finding, _planning, _values  # noqa: F401 (say what steps change)
from examples.forms.state._state import FormState, StepFault, checked

__all__ = ["FormState", "StepFault", "checked"]
