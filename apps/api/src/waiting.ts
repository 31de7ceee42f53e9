import type { FastifyInstance, FastifyReply } from 'fastify';

/** Requests that wait for a delivery. When the server closes, all stop waiting and are answered with what is known. */
export interface Waiting {
  /** Runs `wait` with a signal that fires when the caller hangs up or the server closes. Resolves with whether the caller is still there. */
  during(reply: FastifyReply, wait: (signal: AbortSignal) => Promise<void>): Promise<boolean>;
}

export function createWaiting(app: FastifyInstance, draining: AbortSignal | undefined): Waiting {
  const open = new Set<AbortController>();
  const stopAll = (): void => {
    for (const controller of open) controller.abort();
  };
  let isStopping = false;
  const stop = (): void => {
    isStopping = true;
    stopAll();
  };
  if (draining?.aborted === true) stop();
  draining?.addEventListener('abort', stop, { once: true });
  // An idle connection that was kept alive would keep the server from closing.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isStopping) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('preClose', (done) => {
    stop();
    done();
  });

  return {
    async during(reply, wait) {
      const { raw } = reply;
      if (isStopping) return !raw.destroyed;
      const controller = new AbortController();
      let isGone = raw.destroyed;
      const onClose = (): void => {
        isGone = true;
        controller.abort();
      };
      open.add(controller);
      raw.once('close', onClose);
      try {
        if (!isGone) await wait(controller.signal);
      } catch (error) {
        // A wait that was told to stop may say so by throwing; any other fault is one.
        if (!controller.signal.aborted) throw error;
      } finally {
        open.delete(controller);
        raw.off('close', onClose);
      }
      return !isGone;
    },
  };
}
