// The empty program, CommonJS.
const report = require('./report.cjs');
report(performance.now());
