// The empty program, ESM.
import report from './report.cjs';
report(performance.now());
