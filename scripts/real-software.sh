#!/usr/bin/env bash
# Installs what the tests use of other people's software, from Debian: tools of `npm test`, servers and clients of
# `npm run test:real`. What cannot be installed is
# named and left out: the tests skip what they do not find, and say so. Starts nothing: no service of the system.

set -uo pipefail

packages=(
  postgresql redis-server nginx-light openssh-server mosquitto curl apache2-utils wrk socat ncat dbus
  dnsutils dnsmasq-base chrony rsyslog systemd tcpdump iputils-ping traceroute iperf3 iproute2 util-linux strace
  chromium
)

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
missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null | grep -q 'install ok' || missing+=("$package")
done
((${#missing[@]})) || exit 0

install() { timeout "$1" apt-get install -y -qq --no-install-recommends "${@:2}" >/dev/null 2>&1; }

timeout 120 apt-get update -qq || echo "real software: apt-get update failed"
# All at once takes a third of the time; one by one when that fails, so that one package does not cost the others.
install 400 "${missing[@]}" && exit 0
for package in "${missing[@]}"; do
  install 120 "$package" || echo "real software: $package could not be installed"
done
exit 0
