import { createConnector, type RedisConnection } from '@relay/redis';
import { leanTransaction } from '@relay/redis/testing';
import { freshDatabase } from '@relay/testkit';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

describe('leanTransaction', () => {
  let connection: RedisConnection;
  let other: RedisConnection;
  beforeEach(async () => {
    const connector = createConnector(await freshDatabase(inject('redisUrl')));
    [connection, other] = [connector.open('producer'), connector.open('consumer')];
    await Promise.all([new Promise((resolve) => connection.once('ready', resolve)), other.ping()]);
  });
  afterEach(() => {
    connection.disconnect();
    other.disconnect();
  });
  const inserts = () => {
    const transaction = leanTransaction(connection);
    transaction.hincrby('h', 'one', 1);
    transaction.hincrby('h', 'two', 2);
    return transaction;
  };

  it('does all of it, and answers command by command', async () => {
    expect(await inserts().exec()).toEqual([[null, 1], [null, 2]]);
    expect(await other.hgetall('h')).toEqual({ one: '1', two: '2' });
  });

  it('does nothing before exec', async () => {
    inserts();
    expect(await other.exists('h')).toBe(0);
  });

  it('does nothing where a watched key has changed', async () => {
    await connection.watch('key');
    await other.set('key', 'changed');
    expect(await inserts().exec()).toBeNull();
    expect(await other.exists('h')).toBe(0);
  });

  it('tells which command failed while it was carried out', async () => {
    await other.set('h', 'no hash');
    expect(await inserts().exec()).toEqual([[expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') })], [expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') })]]);
  });

  it('throws where a command was refused beforehand, with what it was refused for, and does nothing', async () => {
    const transaction = inserts();
    transaction.hincrby('h', [] as never, 1); // one argument too few
    await expect(transaction.exec()).rejects.toMatchObject({ message: expect.stringContaining('EXECABORT'), previousErrors: [expect.objectContaining({ message: expect.stringContaining('wrong number of arguments') })] });
    expect(await other.exists('h')).toBe(0);
  });

  it('sends nothing on a connection that is not ready', async () => {
    const ended = new Promise((resolve) => connection.once('end', resolve));
    connection.disconnect();
    await expect(inserts().exec()).rejects.toThrow(/writeable/);
    await ended;
    await expect(inserts().exec()).rejects.toThrow(/not ready \(end\)/);
    expect(await other.exists('h')).toBe(0);
  });

  it('leaves nothing behind of what could not be given', async () => {
    const transaction = inserts();
    transaction.runCommand('no such script' as never, []);
    await expect(transaction.exec()).rejects.toThrow(/not a function/);
    await new Promise((resolve) => connection.once('ready', resolve));
    expect(await other.exists('h')).toBe(0);
    expect(await inserts().exec()).toEqual([[null, 1], [null, 2]]);
  });
});
