// The chart: CPU per operation of every implementation as a multiple of C's, one group of bars per suite. An SVG string
// from Apache ECharts' server-side renderer, which needs no DOM.
import { implementationOf } from './implementations.mjs';

const SERIES = [
  { label: 'eagain', name: 'eagain', color: '#0b7a75' },
  { label: 'eagain:level1', name: 'eagain, level 1', color: '#7fc8b8' },
  { label: 'node', name: 'Node.js built-in', color: '#c44536' },
  { label: 'bun', name: 'Bun', color: '#e0a458' },
  { label: 'deno', name: 'Deno', color: '#6b7a8f' },
];
const LIMIT = 5; // longer bars are cut, their figure stays
const BAR = 13;
const GAP = 22;
const WIDTH = 900;
const TOP = 90;
const BOTTOM = 40;

const rowOf = (suite, label) => suite.rows.find((row) => row.label === label && row.timesC);

/** @param {{ suites: object[], machine: object, date: string }} result */
export async function drawChart(result) {
  const { init } = await import('echarts');
  const suites = result.suites.filter(
    (suite) =>
      rowOf(suite, 'c') &&
      suite.rows.some((row) => implementationOf(row.label) !== 'c' && row.timesC),
  );
  const series = SERIES.filter(({ label }) => suites.some((suite) => rowOf(suite, label)));
  const height = TOP + BOTTOM + suites.length * (series.length * BAR + GAP);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    color: series.map(({ color }) => color),
    title: {
      text: 'CPU time per operation, as a multiple of a plain C server’s (lower is better)',
      subtext: `1 = C. ${result.machine.kernel}, ${result.machine.cpu}, Node.js ${result.machine.versions.node}, ${result.date.slice(0, 10)}`,
      left: 12,
      top: 8,
      textStyle: { fontSize: 15 },
    },
    legend: { top: 56, left: 12, itemHeight: 10, itemGap: 24 },
    grid: { left: 290, right: 50, top: TOP, bottom: BOTTOM },
    xAxis: { type: 'value', min: 0, max: LIMIT, axisLabel: { formatter: (value) => `${value} ×` } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: suites.map(({ title }) => title),
      axisTick: { show: false },
      axisLabel: { width: 270, overflow: 'break' },
    },
    series: series.map(({ label, name }, index) => ({
      name,
      type: 'bar',
      barWidth: BAR - 2,
      barGap: '15%',
      data: suites.map((suite) => {
        const value = rowOf(suite, label)?.timesC.median;
        return value === undefined
          ? null
          : {
              value: Math.min(value, LIMIT),
              label: { show: true, position: 'right', fontSize: 10, formatter: value.toFixed(2) },
            };
      }),
      markLine: index
        ? undefined
        : {
            silent: true,
            symbol: 'none',
            label: { formatter: 'C', position: 'start' },
            lineStyle: { color: '#222', type: 'solid' },
            data: [{ xAxis: 1 }],
          },
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
