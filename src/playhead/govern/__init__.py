"""Layer 2: values kept off the tape, where they are kept, redaction, checks. Pure services."""

from playhead.govern._check import Check
from playhead.govern._delta import DeltaText
from playhead.govern._extra import needed
from playhead.govern._forms import replaced
from playhead.govern._guard import Guard, Shield
from playhead.govern._keys import KEY_VARIABLE, make_key_file, new_key
from playhead.govern._numbers import number_rules
from playhead.govern._own import own_rule
from playhead.govern._personal import email_rule, ip_rule, national_id_rule, phone_rule
from playhead.govern._presidio import presidio_rules
from playhead.govern._redact import Redactor
from playhead.govern._relation import Relation
from playhead.govern._rules import Rule
from playhead.govern._scanner import Found, Scanner, basic_rules, default_rules
from playhead.govern._secrets import secret_rules
from playhead.govern._shape import Shape, fitting
from playhead.govern._signing import SigningKey, fingerprint, is_signed, public_bytes
from playhead.govern._sqlite_vault import SqliteVault
from playhead.govern._tokeniser import Resolver, Tokeniser
from playhead.govern._tokens import PLACEHOLDERS, TOKEN
from playhead.govern._vault import MemoryVault, Secret, Vault

__all__ = [
    "KEY_VARIABLE",
    "PLACEHOLDERS",
    "TOKEN",
    "Check",
    "DeltaText",
    "Found",
    "Guard",
    "MemoryVault",
    "Redactor",
    "Relation",
    "Resolver",
    "Rule",
    "Scanner",
    "Secret",
    "Shape",
    "Shield",
    "SigningKey",
    "SqliteVault",
    "Tokeniser",
    "Vault",
    "basic_rules",
    "default_rules",
    "email_rule",
    "fingerprint",
    "fitting",
    "ip_rule",
    "is_signed",
    "make_key_file",
    "national_id_rule",
    "needed",
    "new_key",
    "number_rules",
    "own_rule",
    "phone_rule",
    "presidio_rules",
    "public_bytes",
    "replaced",
    "secret_rules",
]
