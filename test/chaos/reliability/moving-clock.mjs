// For `node --import`: a process whose clock is ahead by what CLOCK_FILE says, in ms, at any time. Timers run as ever.
import { readFileSync } from 'node:fs';

const LOOK_MS = 100;
const RealDate = Date;
let offsetMs = 0;
const look = () => {
  const given = Number(readFileSync(process.env.CLOCK_FILE, 'utf8'));
  if (Number.isFinite(given)) offsetMs = given;
};
look();
setInterval(look, LOOK_MS).unref();

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offsetMs);
    else super(...given);
  }
  static now() {
    return RealDate.now() + offsetMs;
  }
};
