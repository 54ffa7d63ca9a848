import report from './report.cjs';
const start = performance.now();
await import('eagain');
report(start);
