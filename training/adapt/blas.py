"""One thread for numpy's linear algebra. To be imported before numpy is, which reads this once.

On matrices of a few hundred columns its threads wait for each other more than they compute: beside other
work on the same cores, a fit took up to a hundred times as long as with one.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
