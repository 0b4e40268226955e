import { describe, expect, it } from 'vitest';
import { HostedDatasets } from '../../../src/operators/map-to-proposals/hosted-datasets.js';

describe('HostedDatasets', () => {
  it('lets the workspace describe that came first, as often as it likes', () => {
    const hosted = new HostedDatasets();
    expect(hosted.mayDescribe('a', undefined)).toBe(true);
    expect(hosted.mayDescribe('a', 'team-a')).toBe(false);
    expect(hosted.mayDescribe('b', 'team-a')).toBe(true);
    expect(hosted.mayDescribe('b', 'team-b')).toBe(false);
    expect(hosted.mayDescribe('b', 'team-a')).toBe(true);
    hosted.clear();
    expect(hosted.mayDescribe('a', 'team-a')).toBe(true);
  });

  it('lets nobody describe behind its limit but the workspace that reached it', () => {
    const hosted = new HostedDatasets(3);
    expect(['a', 'b'].map((urn) => hosted.mayDescribe(urn, undefined))).toEqual([true, true]);
    const inTeam = ['a', 'c', 'd', 'e'].map((urn) => hosted.mayDescribe(urn, 'team-a'));
    expect(inTeam).toEqual([false, true, true, true]);
    const later = ['a', 'c', 'd', 'f'].map((urn) => hosted.mayDescribe(urn, 'team-b'));
    expect(later).toEqual([false, false, false, false]);
  });
});
