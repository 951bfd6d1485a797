import sys

import tidemark

with tidemark.connect(sys.argv[1]) as client:
    with client.push("orders", "python") as push:
        for number in range(1, 101):
            push.upsert("orders", {"id": f"python-{number}", "total": number * 1.5})
        push.flush()
    print("python: 100 rows are durable")
