import { z } from 'zod';
import { accountOf, mayUse } from '../account-access.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { presentAccount } from '../present.ts';
import { accountSchema, accountsSchema } from '../schemas/account.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';

export function getAccounts(app: ApiApp, deps: Pick<ApiDeps, 'accounts'>): void {
  const schema = { summary: 'Accounts', tags: ['Admin'], response: { 200: answerOf(accountsSchema), ...errorAnswers() } };
  app.get('/admin/accounts', { config: { scope: 'admin' }, schema }, async (request) => {
    const apiKey = callerOf(request);
    const visible = (await deps.accounts.list()).filter((account) => mayUse(apiKey, account.id));
    const held = await Promise.all(visible.map((account) => deps.accounts.heldEvents(account.id)));
    return { accounts: visible.map((account, index) => presentAccount(account, held[index] ?? 0)) };
  });
}

export function getAccount(app: ApiApp, deps: Pick<ApiDeps, 'accounts'>): void {
  const schema = {
    summary: 'One account',
    description: 'Credentials are never shown.',
    tags: ['Admin'],
    params: z.object({ id: z.string().max(512) }),
    response: { 200: answerOf(accountSchema), ...errorAnswers(404) },
  };
  app.get('/admin/accounts/:id', { config: { scope: 'admin' }, schema }, async (request) => {
    const account = await accountOf(deps.accounts, callerOf(request), request.params.id);
    return presentAccount(account, await deps.accounts.heldEvents(account.id));
  });
}
