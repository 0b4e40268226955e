/**
 * Numbers, times and lists as people read them.
 */

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 request`, `12,345 requests`. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

/** `340 ms`, `1.2 s`, `4 min 05 s`, `1 h 02 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** `512 bytes`, `1.2 MB`, in thousands. */
export function bytes(value: number): string {
  if (value < 1000) return counted(value, 'byte');
  const units = ['kB', 'MB', 'GB', 'TB'];
  const step = Math.min(Math.floor(Math.log10(value) / 3), units.length);
  return `${(value / 1000 ** step).toFixed(1)} ${units[step - 1] ?? ''}`;
}

/** `2026-11-18 10:05 UTC`, from ISO 8601 in UTC. */
export function moment(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** `812/s`, `0.4/s` */
export function rate(perSecond: number): string {
  return `${perSecond < 10 ? (Math.round(perSecond * 10) / 10).toString() : count(Math.round(perSecond))}/s`;
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}

/** `registeredModel` becomes `registered models`, or one `registered model`. */
export function kindLabel(kind: string, value = 2): string {
  const words = kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return value === 1 ? words : `${words}s`;
}

/** Breaks text into lines of at most `width`; a word that is longer stays whole (a path, a URN). */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** Cuts the middle out of what is too long: the end of a URN tells more than its middle. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const kept = width - 1;
  const front = Math.ceil(kept / 2);
  return `${text.slice(0, front)}…${text.slice(text.length - (kept - front))}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
