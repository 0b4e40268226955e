/**
 * Before all live tests: everything that they run is installed. What can't be is a failure.
 */

import { installAll } from './install.js';
import { installKafka } from './kafka/install.js';
import { installDatabases } from './sql/install.js';

export async function setup(): Promise<void> {
  await Promise.all([installAll(), installKafka(), installDatabases()]);
}
