import fastifySwagger, { type SwaggerTransformObject } from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { addExamples, type Operation } from '../openapi/add-examples.ts';
import { schemaRegistry } from '../schemas/registry.ts';

const DESCRIPTION = `Self-hosted, durable relay of server-side conversions to Meta, Google Ads and LinkedIn.

Every route is served under \`/v1\` and, the same, under \`/api/v1\`. Every answer that is not 2xx has the shape of \`Error\`; every answer carries \`X-Request-Id\`.`;

/** The API's own reference, from the same zod schemas that check the requests. To be registered before the routes. */
export async function installOpenapi(app: FastifyInstance): Promise<void> {
  const transform = createJsonSchemaTransform({ schemaRegistry, zodToJsonConfig });
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Conversion Relay', description: DESCRIPTION, version: '1' },
      servers: [{ url: '/' }],
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
    // /api/v1 is /v1 again, and what says nothing of itself is a page or a file of one.
    transform: (route) => (route.schema?.summary !== undefined && !route.url.startsWith('/api/') ? transform(route) : { schema: { ...route.schema, hide: true }, url: route.url }),
    transformObject: finishDocument,
  });
  await app.register(fastifySwaggerUi, { routePrefix: '/docs', uiConfig: { deepLinking: true, persistAuthorization: false }, theme: { title: 'Conversion Relay API' } });
  let document: string | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    return reply.type('application/json; charset=utf-8').serializer(String).send(document);
  });
}

/** Descriptions and the like are kept by zod in its own registry, which a conversion with ours does not look into. */
const zodToJsonConfig: NonNullable<Parameters<typeof createJsonSchemaTransform>[0]['zodToJsonConfig']> = {
  override: ({ zodSchema, jsonSchema }) => void Object.assign(jsonSchema, z.globalRegistry.get(zodSchema)),
};

const addSchemas = createJsonSchemaTransformObject({ schemaRegistry, zodToJsonConfig });

/** Named schemas, without the twins for requests that nothing refers to; what is read by hand; examples. */
const finishDocument: SwaggerTransformObject = (input) => {
  const document = addSchemas(input) as OpenapiDocument;
  const schemas = document.components?.schemas ?? {};
  for (const name of Object.keys(schemas)) if (name.endsWith('Input')) delete schemas[name];
  addExamples(document.paths ?? {});
  return document;
};

interface OpenapiDocument {
  components?: { schemas?: Record<string, unknown> };
  paths?: Record<string, Record<string, Operation>>;
}
