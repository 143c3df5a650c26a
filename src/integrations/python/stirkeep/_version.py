# SPDX-License-Identifier: BSD-2-Clause
__version__ = "0.1.0"
