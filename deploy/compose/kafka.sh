#!/bin/bash
# The image's own start script knows no SCRAM users: format with them the first time, then start.
set -euo pipefail
mapfile -t users < /etc/creditbus/users
cluster=$(/opt/kafka/bin/kafka-storage.sh random-uuid)
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --standalone --cluster-id "$cluster" \
  --config /etc/creditbus/server.properties "${users[@]}"
exec /opt/kafka/bin/kafka-server-start.sh /etc/creditbus/server.properties
