import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';

it('the reference of options is what the schemas say (else: node scripts/reference.js)', () => {
  const script = fileURLToPath(new URL('../../scripts/reference.js', import.meta.url));
  execFileSync(process.execPath, [script, '--check'], { stdio: ['ignore', 'inherit', 'inherit'] });
});
