import { readFileSync } from 'node:fs';

/** The user and system time of a process since its start, in milliseconds, in steps of the kernel's 10 ms. Linux only. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // utime and stime are fields 14 and 15 of the line; two stand before the split. proc(5).
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
