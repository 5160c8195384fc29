"""How each operation is called for real: one row per operation, one per way to contradict it.

A new operation needs a row in CALLS of its app; a PUT or PATCH that can answer 409 also one in
CONTRADICTIONS (a POST has the reuse of its Idempotency-Key). The other problems follow from what the
document says (see test_contract.py).
"""

from tests.contract.calls import outcomes, patients, trials
from tests.contract.calls.call import Call

__all__ = ["CALLS", "CONTRADICTIONS", "NOBODY", "OTHERWISE", "Call"]

NOBODY = 999_999_999
CALLS = trials.CALLS | patients.CALLS | outcomes.CALLS
OTHERWISE = trials.OTHERWISE | patients.OTHERWISE
CONTRADICTIONS = trials.CONTRADICTIONS | patients.CONTRADICTIONS | outcomes.CONTRADICTIONS
