"""How a router leaves: it stops looking healthy, then waits until nobody is connected any more."""

from delivery.names import LISTENERS, ROUTER_ADMIN_PORT

GRACE_SECONDS = 130
"""What the kubelet allows a router to take; the script ends by itself before."""
LAST_SECOND = 120
FIRST_SECOND = 5
"""Until then new connections may still come: other nodes learn late that an endpoint is gone."""

ACTIVE = f"listener.*_{str(LISTENERS.start)[0]}[0-9][0-9][0-9][0-9].downstream_cx_active:"
"""The shell pattern of the apps' listeners in Envoy's statistics; the stats port is none."""

# Bash alone, over loopback: the image has no curl, and nothing else runs in the pod. Envoy answers
# from now on with "Connection: close" (HTTP/1.1) or GOAWAY (HTTP/2), so that clients go elsewhere.
DRAIN = rf"""
ask() {{
  exec 3<>/dev/tcp/127.0.0.1/{ROUTER_ADMIN_PORT} || return
  printf '%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' \
    "$1" "$2" >&3
  while IFS= read -r line <&3; do printf '%s\n' "${{line%$'\r'}}"; done
  exec 3<&-
}}
ask POST /healthcheck/fail >/dev/null
sleep {FIRST_SECOND}
while [ $SECONDS -lt {LAST_SECOND} ]; do
  active=0
  while read -r name count; do
    case $name in
      {ACTIVE}) active=$((active + count)) ;;
    esac
  done < <(ask GET '/stats?filter=downstream_cx_active')
  [ $active -eq 0 ] && break
  sleep 1
done
"""
