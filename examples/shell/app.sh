#!/usr/bin/env bash
# An application that is a shell script: values, spans and feedback with curl. It picks lines of a file.
#   examples/shell/app.sh lighthouse user-17 < passages.txt
set -euo pipefail
api=${OTEL_OPTO_API:-http://127.0.0.1:4319} otlp=${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}
word=$1 user=$2
send() { curl --silent --show-error --fail --header 'Content-Type: application/json' "$@"; }
hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# What may be improved, and what is in force for this user; without a collector the script goes on with its own value.
send --request PUT "$api/v1/services/shell-qa/parameters" --output /dev/null --data \
  '{"parameters": [{"key": "lines", "type": "integer", "default": 1, "minimum": 1, "maximum": 3}]}' || true
release=$(send --get "$api/v1/services/shell-qa/release" --data-urlencode "targeting_key=$user" || echo '{}')
number=$(grep -o '"release": *[0-9]\+' <<< "$release" | head -n 1 | grep -o '[0-9]*$' || true)
lines=$(grep -o '"values": *{[^}]*}' <<< "$release" | grep -o '"lines": *[0-9]*' | grep -o '[0-9]*$' || echo 1)

begin=$(date +%s%N)
answer=$(grep --ignore-case "$word" | head -n "$lines" | tr '\n' ' ')
echo "$answer"

# One span: OTLP in JSON. The release is what a study compares by.
trace=$(hex 16) span=$(hex 8)
quoted=$(sed 's/\\/\\\\/g; s/"/\\"/g' <<< "$answer")
attributes="{\"key\": \"output.value\", \"value\": {\"stringValue\": \"$quoted\"}}, {\"key\": \"opto.param.lines.value\", \"value\": {\"intValue\": \"$lines\"}}"
[ -z "$number" ] || attributes="$attributes, {\"key\": \"opto.release\", \"value\": {\"intValue\": \"$number\"}}"
send "$otlp/v1/traces" --output /dev/null --data "{\"resourceSpans\": [{
  \"resource\": {\"attributes\": [{\"key\": \"service.name\", \"value\": {\"stringValue\": \"shell-qa\"}}]},
  \"scopeSpans\": [{\"spans\": [{\"traceId\": \"$trace\", \"spanId\": \"$span\", \"name\": \"pick\", \"kind\": 1,
    \"startTimeUnixNano\": \"$begin\", \"endTimeUnixNano\": \"$(date +%s%N)\", \"attributes\": [$attributes]}]}]}]}" || true
send "$api/v1/feedback" --output /dev/null --data \
  "{\"feedback\": [{\"handle\": \"00-$trace-$span-01\", \"name\": \"found\", \"score\": $([ -n "$answer" ] && echo 1 || echo 0)}]}" || true
