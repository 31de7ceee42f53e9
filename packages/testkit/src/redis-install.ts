import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { findCommand, runCommand } from './run-command.ts';

const UPDATE_MS = 180_000;
const INSTALL_MS = 300_000;
const POLICY = '/usr/sbin/policy-rc.d';

/** Whether this is Debian, Ubuntu or a child of theirs: `content` is that of /etc/os-release. */
export function isDebianLike(content: string): boolean {
  const names = content
    .split('\n')
    .filter((line) => /^(ID|ID_LIKE)=/.test(line))
    .flatMap((line) => line.slice(line.indexOf('=') + 1).replaceAll(/["']/g, '').split(/\s+/));
  return names.some((name) => name === 'debian' || name === 'ubuntu');
}

export function canInstallRedis(): boolean {
  if (process.getuid?.() !== 0 || findCommand(['apt-get']) === undefined || !existsSync('/etc/os-release')) return false;
  return isDebianLike(readFileSync('/etc/os-release', 'utf8'));
}

/** Installs the redis-server package without letting it start the system's service. Returns the server's path. */
export async function installRedis(say: (line: string) => void): Promise<string> {
  say('No Redis found: installing the Debian package redis-server with apt-get (its service is not started).');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  // The documented way to keep a package's scripts from starting services; an existing policy is the machine's own.
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const steps = [
      { args: ['update'], timeoutMs: UPDATE_MS },
      { args: ['install', '--yes', '--no-install-recommends', 'redis-server'], timeoutMs: INSTALL_MS },
    ];
    for (const { args, timeoutMs } of steps) {
      const result = await runCommand('apt-get', ['-o', 'DPkg::Lock::Timeout=60', ...args], { timeoutMs, env });
      if (result.code !== 0) throw new Error(`apt-get ${args.join(' ')} failed:\n${result.output.slice(-1_000).trim()}`);
    }
  } finally {
    if (ownPolicy) await rm(POLICY, { force: true });
  }
  const binary = findCommand(['redis-server']);
  if (binary === undefined) throw new Error('the package redis-server is installed, but redis-server is not on the PATH');
  return binary;
}
