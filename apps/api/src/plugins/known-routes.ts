import type { FastifyInstance } from 'fastify';

/** Which methods a path takes: for 405 and its `Allow`, which the router does not tell. */
export interface KnownRoutes {
  methodsOf(path: string): readonly string[];
}

/** To be called before any route is registered. */
export function rememberRoutes(app: FastifyInstance): KnownRoutes {
  const byPattern = new Map<string, { readonly matches: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', (route) => {
    const entry = byPattern.get(route.url) ?? { matches: toRegExp(route.url), methods: new Set<string>() };
    for (const method of [route.method].flat()) entry.methods.add(method.toUpperCase());
    byPattern.set(route.url, entry);
  });
  return {
    methodsOf(path) {
      const methods = new Set<string>();
      for (const entry of byPattern.values()) {
        if (entry.matches.test(path)) for (const method of entry.methods) methods.add(method);
      }
      return [...methods].sort();
    },
  };
}

/** `/v1/deliveries/:id` and `/docs/static/*`: the only two kinds of patterns that are in use. */
function toRegExp(pattern: string): RegExp {
  const parts = pattern.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
