import { describe, expect, it } from 'vitest';
import { HostedDatasets } from '../../../src/operators/map-to-proposals/hosted-datasets.js';

describe('HostedDatasets', () => {
  it('lets the dataset describe that came first, as often as it likes', () => {
    const hosted = new HostedDatasets();
    expect(hosted.mayDescribe('a', 'x', undefined)).toBe(true);
    expect(hosted.mayDescribe('a', 'x', 'team-a')).toBe(false);
    expect(hosted.mayDescribe('b', 'x', 'team-a')).toBe(true);
    expect(hosted.mayDescribe('b', 'x', 'team-b')).toBe(false);
    expect(hosted.mayDescribe('b', 'y', 'team-a')).toBe(false);
    expect(hosted.mayDescribe('b', 'x', 'team-a')).toBe(true);
    hosted.clear();
    expect(hosted.mayDescribe('a', 'y', 'team-a')).toBe(true);
  });

  it('lets nobody describe behind its limit but the workspace that reached it', () => {
    const hosted = new HostedDatasets(3);
    const may = (urns: readonly string[], workspace?: string) =>
      urns.map((urn) => hosted.mayDescribe(urn, urn, workspace));
    expect(may(['a', 'b'])).toEqual([true, true]);
    expect(may(['a', 'c', 'd', 'e'], 'team-a')).toEqual([false, true, true, true]);
    expect(may(['a', 'c', 'd', 'f'], 'team-b')).toEqual([false, false, false, false]);
  });
});
