import type { Backlog } from './backlog.ts';
import type { Growth, Point } from './growth.ts';
import { drawPlot, type PlotLine } from './plot.ts';

const ALL = ['api', 'worker', 'redis'] as const;
const Y_LABEL = 'CPU time per event, µs';

/** The plots by the name of their file. */
export function plotsOf(growth: Growth, backlog: Backlog | undefined): ReadonlyMap<string, string> {
  const million: Point[] = backlog ? [{ x: backlog.waiting, cpuUs: backlog.cpuUs }] : [];
  return new Map([
    ['events-per-request.svg', drawPlot({ title: 'Events per request', xLabel: 'events per request', yLabel: Y_LABEL, lines: linesOf(growth.eventsPerRequest, ALL) })],
    ['requests-per-second.svg', drawPlot({ title: 'Requests per second, one event each', xLabel: 'requests per second', yLabel: Y_LABEL, lines: linesOf(growth.requestsPerSecond, ALL) })],
    ['destinations.svg', drawPlot({ title: 'Destinations, 10 events per request', xLabel: 'destinations', yLabel: Y_LABEL, lines: linesOf(growth.destinations, ALL) })],
    // Nothing is taken in while a backlog drains.
    ['backlog.svg', drawPlot({ title: 'Backlog, while it drains', xLabel: 'events waiting', yLabel: Y_LABEL, lines: linesOf([...growth.backlog, ...million], ['worker', 'redis']) })],
  ]);
}

type Role = keyof typeof STYLES;
/** Colours of Okabe and Ito: told apart by those who do not see all colours, too. */
const STYLES = { api: { name: 'api', colour: '#0072b2' }, worker: { name: 'worker', colour: '#d55e00' }, redis: { name: 'Redis', colour: '#009e73' } } as const;

function linesOf(points: readonly Point[], roles: readonly Role[]): PlotLine[] {
  return roles.map((role) => ({ ...STYLES[role], points: points.map(({ x, cpuUs }) => [x, cpuUs[role]] as const) }));
}
