import { buildSandbox } from './build-sandbox.ts';

const port = Number(process.env['SANDBOX_PORT'] ?? 9900);
const host = process.env['HOST'] ?? '127.0.0.1';

const { app } = buildSandbox({ logLevel: process.env['LOG_LEVEL'] ?? 'warn' });

// One signal closes; a second one kills, as `once` leaves Node's default in place.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void app.close());
}

const url = await app.listen({ port, host });
process.stdout.write(`${JSON.stringify({ msg: 'sandbox.listening', url })}\n`);
