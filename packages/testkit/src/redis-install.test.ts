import { expect, test } from 'vitest';
import { isDebianLike } from './redis-install.ts';

test.each([
  ['PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n', true],
  ['NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', true],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
  ['ID=alpine\nHOME_URL="https://debian.example"\n', false],
  ['ID="rhel"\nID_LIKE="fedora"\n', false],
  ['', false],
])('%j', (content, expected) => {
  expect(isDebianLike(content)).toBe(expected);
});
