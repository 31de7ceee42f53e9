/** One line of a plot: its points, from left to right. */
export interface PlotLine {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}
export interface Plot {
  readonly title: string;
  /** With the unit. */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly PlotLine[];
}

const WIDTH = 480;
const HEIGHT = 300;
const AREA = { left: 56, right: 464, top: 52, bottom: 252 } as const;
const Y_STEPS = 5;

/** An SVG with a logarithmic x axis and a y axis from 0. White of its own behind it, so that it can be read on a dark page. */
export function drawPlot({ title, xLabel, yLabel, lines }: Plot): string {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))].toSorted((a, b) => a - b);
  const [low, high] = [Math.log10(xs[0]!), Math.log10(xs.at(-1)!)];
  const step = roundStep(Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y))) / Y_STEPS);
  const top = step * Y_STEPS;
  const xAt = (x: number) => round(AREA.left + ((Math.log10(x) - low) / (high - low || 1)) * (AREA.right - AREA.left));
  const yAt = (y: number) => round(AREA.bottom - (y / top) * (AREA.bottom - AREA.top));
  const ticks = Array.from({ length: Y_STEPS + 1 }, (_, i) => i * step);
  const middle = (AREA.left + AREA.right) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="11" fill="#333">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(AREA.left, 20, title, 'font-size="13" font-weight="600" fill="#111"'),
    ...ticks.map((y) => `<path d="M${AREA.left} ${yAt(y)}H${AREA.right}" stroke="${y === 0 ? '#333' : '#ddd'}"/>`),
    ...ticks.map((y) => text(AREA.left - 6, yAt(y) + 4, short(y), 'text-anchor="end"')),
    ...xs.map((x) => text(xAt(x), AREA.bottom + 16, short(x), 'text-anchor="middle"')),
    text(middle, HEIGHT - 12, xLabel, 'text-anchor="middle"'),
    text(0, 0, yLabel, `text-anchor="middle" transform="translate(14 ${(AREA.top + AREA.bottom) / 2}) rotate(-90)"`),
    ...lines.flatMap(({ name, colour, points }, i) => [
      `<path d="M${points.map(([x, y]) => `${xAt(x)} ${yAt(y)}`).join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...points.map(([x, y]) => `<circle cx="${xAt(x)}" cy="${yAt(y)}" r="3" fill="${colour}"/>`),
      `<rect x="${AREA.left + i * 80}" y="30" width="10" height="10" fill="${colour}"/>`,
      text(AREA.left + i * 80 + 15, 39, name),
    ]),
    '</svg>',
    '',
  ].join('\n');
}

const text = (x: number, y: number, content: string, attributes = ''): string => `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
const escaped = (content: string): string => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const round = (value: number): number => Math.round(value * 10) / 10;

/** The next of 1, 2, 2.5, 5, 10 times a power of ten. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-6)));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? 10 * power;
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e4) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(6)));
}
