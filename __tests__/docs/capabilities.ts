// Programs without CAP_NET_RAW, whoever runs them.

import { execFileSync } from 'node:child_process';

/** Arguments of setpriv(1), before the command. */
export const WITHOUT_NET_RAW = ['--bounding-set', '-net_raw', '--inh-caps', '-net_raw'];

/** Only who may change its capabilities can take one away. */
export function canDropCapabilities(): boolean {
  try {
    execFileSync('setpriv', [...WITHOUT_NET_RAW, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
