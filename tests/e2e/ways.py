# SPDX-License-Identifier: BSD-2-Clause
"""All ways: what is done with keys, and may be cut off at any moment (way.py says how they go)."""
from ways_in import ByKey, Bundle, Pkcs12, Ready, Sealed, Upload
from ways_on import Activation, Generate, Install, InstallIssued, Over, Rollback, Stage
from ways_out import Destroy, DestroyOne, Retire, Undo, UndoGenerate

WAYS = (ByKey, Sealed, Bundle, Pkcs12, Upload, Ready, Over, Stage, Activation, Generate,
        InstallIssued, Install, Rollback, Retire, Destroy, DestroyOne)
UNDOING = (Undo, UndoGenerate)  # begins with a cut
