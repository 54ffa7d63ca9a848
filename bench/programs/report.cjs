// Prints what a program has cost so far. Loaded before the clock starts.
module.exports = function report(start) {
  const ms = performance.now() - start;
  const { rss, heapUsed } = process.memoryUsage();
  const rxjs = Object.keys(require.cache).some((path) => path.includes('rxjs'));
  process.stdout.write(JSON.stringify({ ms, rss, heap: heapUsed, rxjs }));
};
