"""An application that says what thirty users get, begins one more request and stays in it: ENDPOINT CACHE."""

import json
import sys
import time

import otel_opto

otel_opto.configure(service_name="qa", endpoint=sys.argv[1], cache_dir=sys.argv[2], wait_seconds=10.0)
k = otel_opto.parameter("k", default=1)
given = {}
for number in range(30):
    user = f"user-{number}"
    with otel_opto.targeting_key(user), otel_opto.start_node("request"):
        given[user] = k.value
with otel_opto.targeting_key("user-0"), otel_opto.start_node("request") as request:
    given["held"] = k.value
    sys.stdout.write(json.dumps(given) + "\n")
    sys.stdout.flush()
    time.sleep(600)
