// The dashboard's page: one file of HTML that needs nothing from elsewhere, and draws its lines as SVG.

export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>eagain: a load on the loopback</title>
<link rel="icon" href="data:,">
<style>
  body { font: 16px/1.4 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
         color: #222; background: #fff; }
  section { margin: 1.5rem 0; }
  h2 { font-size: 1rem; font-weight: normal; margin: 0; }
  output { font-size: 1.6rem; font-variant-numeric: tabular-nums; }
  svg { display: block; width: 100%; height: 8rem; background: #f4f4f4; }
  polyline { fill: none; stroke: #06c; stroke-width: 2; vector-effect: non-scaling-stroke; }
  @media (prefers-color-scheme: dark) {
    body { color: #ddd; background: #111; } svg { background: #222; } polyline { stroke: #6bf; }
  }
</style>
<h1>A load on the loopback</h1>
<p id="state" role="status">connecting</p>
<main></main>
<script>
  const LENGTH = 240;
  const CHARTS = {
    rate: ['Datagrams per second', (sample) => sample.rate],
    lost: ['Lost in the kernel’s queue', (sample) => sample.lost],
    dropped: ['Dropped in the Observable’s queue', (sample) => sample.dropped],
    rtt: ['Round trip, median, µs', (sample) => sample.rtt],
  };
  const state = document.querySelector('#state');
  const charts = Object.entries(CHARTS).map(([id, [title, valueOf]]) => {
    const section = document.createElement('section');
    section.id = id;
    section.innerHTML = '<h2></h2><output>–</output>' +
      '<svg viewBox="0 0 ' + (LENGTH - 1) + ' 100" preserveAspectRatio="none" role="img"><polyline/></svg>';
    section.querySelector('h2').textContent = title;
    section.querySelector('svg').setAttribute('aria-label', title);
    document.querySelector('main').append(section);
    const values = [];
    return (sample) => {
      values.push(valueOf(sample));
      if (values.length > LENGTH) values.shift();
      const most = Math.max(1, ...values);
      const points = values.map((value, i) => i + ',' + (98 - (96 * value) / most).toFixed(1));
      section.querySelector('polyline').setAttribute('points', points.join(' '));
      section.querySelector('output').textContent = Math.round(values.at(-1)).toLocaleString('en');
    };
  });
  const samples = new EventSource('/samples');
  samples.onopen = () => (state.textContent = 'live');
  samples.onerror = () => (state.textContent = 'connecting');
  samples.onmessage = ({ data }) => {
    const sample = JSON.parse(data);
    for (const draw of charts) draw(sample);
  };
</script>
</html>
`;
