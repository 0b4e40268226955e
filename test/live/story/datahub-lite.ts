/**
 * DataHub Lite: a catalogue of DataHub's in one file of SQLite, which its own command fills and asks.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binOf } from '../install.js';
import { PEER_ENVIRONMENT } from '../peer.js';
import { run } from '../processes.js';
import { readProposals, type FiledProposal, type JsonObject } from '../proposals.js';
import { PEER } from '../releases.js';

export class DataHubLite {
  private constructor(private readonly home: string) {}

  /** @param folder - all of it is in there: its command keeps its settings in the home folder */
  static async in(folder: string): Promise<DataHubLite> {
    const home = join(folder, 'home');
    await mkdir(home);
    const lite = { type: 'sqlite', config: { file: join(folder, 'lite', 'datahub.db') } };
    // Its settings can't be without a server, though none is asked. JSON is YAML.
    await writeFile(join(home, '.datahubenv'), JSON.stringify({ gms: { server: '' }, lite }));
    return new DataHubLite(home);
  }

  /** @throws Error where a proposal could not be written */
  async import(file: string): Promise<void> {
    const { stdout, stderr } = await this.#run('import', '--file', file);
    const output = stdout + stderr;
    if (/Failed to write|does not support|ERROR/.test(output)) throw new Error(output);
  }

  /** All that it holds. */
  async export(): Promise<readonly FiledProposal[]> {
    const file = join(this.home, 'export.json');
    await this.#run('export', '--file', file);
    return readProposals(file);
  }

  /** The aspects of an entity, by name. */
  async get(urn: string): Promise<JsonObject> {
    const { stdout } = await this.#run('get', '--urn', urn);
    return JSON.parse(stdout) as JsonObject;
  }

  #run(...args: readonly string[]) {
    return run(join(binOf(PEER), 'datahub'), ['lite', ...args], {
      cwd: this.home,
      env: { ...PEER_ENVIRONMENT, HOME: this.home },
    });
  }
}
