/**
 * The program of the watchdog process, as text because it must run from any bundle. It reads lines
 * of `{ processes: [pid, signal][], folders: string[] }`; at the end of its input it ends and
 * removes what the last line names. It outlives a signal that is sent to every process of a job,
 * because that is when it is needed. A group is killed at last because a server's helpers share it.
 */
export const watchdogProgram: string = `
'use strict';
const { rmSync } = require('node:fs');
let wards = { processes: [], folders: [] };
let text = '';
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (text + chunk).split('\\n');
  text = lines.pop();
  if (lines.length > 0) wards = JSON.parse(lines[lines.length - 1]);
});
process.stdin.on('error', () => {});
process.stdin.on('close', async () => {
  const send = (pid, signal) => { try { return process.kill(pid, signal); } catch { return false; } };
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await Promise.all(wards.processes.map(async ([pid, signal]) => {
    send(pid, signal);
    for (let waited = 0; waited < 5000 && send(pid, 0); waited += 20) await sleep(20);
    send(-pid, 'SIGKILL');
    send(pid, 'SIGKILL');
  }));
  for (const folder of wards.folders) {
    try { rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }); } catch {}
  }
});
`;
