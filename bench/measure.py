"""Runs a command and prints, as JSON, what it took: wall and processor seconds, peak memory in MB.

    python measure.py node dist/pipeline.js --from ...

The figures are the operating system's own, of the finished process and its children.
"""

import json
import resource
import subprocess
import sys
import time

start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
wall = time.perf_counter() - start
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
# Kilobytes on Linux, bytes on macOS.
unit = 1_000_000 if sys.platform == "darwin" else 1_000
print(
    json.dumps(
        {
            "status": done.returncode,
            "wallSeconds": wall,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "peakMegabytes": usage.ru_maxrss / unit,
            "stderr": done.stderr.decode("utf-8", "replace")[-2000:],
        }
    )
)
