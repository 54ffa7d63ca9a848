// For comparison: the built-in, of which Node's snapshot already holds most.
const report = require('./report.cjs');
const start = performance.now();
require('node:net');
require('node:dgram');
report(start);
