import { badParameter } from '../meta/errors.ts';
import type { Refusal } from '../meta/errors.ts';
import { printFields } from './fields.ts';
import type { FieldPick } from './fields.ts';
import type { Edge, Node, NodeType } from './graph.ts';

export interface PageRequest {
  readonly limit: string | undefined;
  readonly after: string | undefined;
}

export interface RenderOptions {
  readonly pageSize: number;
  readonly maxPageSize: number;
  readonly emptyEdge: 'absent' | 'list';
  /** Of the links to next pages, up to and with the version. */
  readonly base: string;
  /** In those links, as Graph puts it there; empty for none. */
  readonly token: string;
}

/** A refusal found while rendering; nested edges make a plain return value unwieldy. */
export class GraphRefusal extends Error {
  override readonly name = 'GraphRefusal';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

const cursorOf = (path: string, index: number) => Buffer.from(`${path} ${index}`).toString('base64url');

/** A cursor fits only the edge it came from. */
function indexAfter(path: string, cursor: string): number {
  const [from, index] = Buffer.from(cursor, 'base64url').toString().split(' ');
  if (from !== path || !/^\d+$/.test(index ?? '')) throw new GraphRefusal(badParameter('Invalid cursors values'));
  return Number(index) + 1;
}

function sizeOf(limit: string | undefined, { pageSize, maxPageSize }: RenderOptions): number {
  if (limit === undefined) return Math.min(pageSize, maxPageSize);
  if (!/^[1-9]\d*$/.test(limit)) throw new GraphRefusal(badParameter('param limit must be an integer greater than or equal to 1'));
  return Math.min(Number(limit), maxPageSize);
}

/** One page of an edge: `data` and, unless it is empty, `paging`; `next` is there only while there is more. */
export function renderEdge(edge: Edge, picks: readonly FieldPick[] | undefined, page: PageRequest, options: RenderOptions): Record<string, unknown> {
  checkPicks(edge.type, picks ?? []); // also where there is nothing to show
  const size = sizeOf(page.limit, options);
  const start = page.after ? indexAfter(edge.path, page.after) : 0;
  const nodes = edge.nodes.slice(start, start + size);
  if (nodes.length === 0) return { data: [] };
  const last = start + nodes.length - 1;
  const after = cursorOf(edge.path, last);
  const link = new URLSearchParams({
    ...(options.token === '' ? {} : { access_token: options.token }),
    ...(picks === undefined ? {} : { fields: printFields(picks) }),
    limit: String(size),
    after,
  });
  return {
    data: nodes.map((node) => renderNode(node, edge.type, picks, options)),
    paging: {
      cursors: { before: cursorOf(edge.path, start), after },
      ...(last + 1 < edge.nodes.length ? { next: `${options.base}/${edge.path}?${link.toString()}` } : {}),
    },
  };
}

function checkPicks(type: NodeType, picks: readonly FieldPick[]): void {
  const unknown = picks.find(({ name }) => !type.fields.has(name) && type.edges[name] === undefined);
  if (unknown !== undefined) throw new GraphRefusal(badParameter(`Tried accessing nonexisting field (${unknown.name}) on node type (${type.name})`));
}

function renderNode(node: Node, type: NodeType, picks: readonly FieldPick[] | undefined, options: RenderOptions): Record<string, unknown> {
  const rendered: Record<string, unknown> = {};
  for (const pick of picks ?? type.defaults.map((name) => ({ name, modifiers: {} as Readonly<Record<string, string>>, fields: undefined }))) {
    const edge = type.edges[pick.name]?.(node);
    if (edge === undefined) {
      if (node[pick.name] !== undefined) rendered[pick.name] = node[pick.name];
      continue;
    }
    const page = renderEdge(edge, pick.fields, { limit: pick.modifiers['limit'], after: pick.modifiers['after'] }, options);
    if (edge.nodes.length > 0 || options.emptyEdge === 'list') rendered[pick.name] = page;
  }
  return { ...rendered, id: node.id };
}
