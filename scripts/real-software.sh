#!/usr/bin/env bash
# Installs the servers and clients that `npm run test:real` tests against, from Debian. What cannot be installed is
# named and left out: the tests skip what they do not find, and say so. Starts nothing: no service of the system.

set -uo pipefail

packages=(postgresql redis-server nginx-light openssh-server mosquitto curl apache2-utils socat ncat)

if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
  echo "real software: no apt-get, or not root; nothing installed"
  exit 0
fi

# Debian starts what it installs, unless this says no.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
timeout 120 apt-get update -qq || echo "real software: apt-get update failed"
for package in "${packages[@]}"; do
  dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null | grep -q 'install ok' && continue
  timeout 120 apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
    echo "real software: $package could not be installed"
done
exit 0
