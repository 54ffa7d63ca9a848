const report = require('./report.cjs');
const start = performance.now();
require('eagain');
report(start);
