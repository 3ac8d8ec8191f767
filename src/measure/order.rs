//! Order of the models in the heat map: average linkage on 1 - mean similarity.

use super::tables::ModelPairRow;

/// Models up to which the clustering (cubic) is done.
const CLUSTERED: usize = 500;

/// Model ids in clustered order; above 500 models by their mean similarity to others, descending.
pub fn models(pairs: &[ModelPairRow], models: usize) -> Vec<u32> {
    let mut distance = vec![vec![1.0f64; models]; models];
    for row in pairs.iter().filter(|r| r.model_a != r.model_b) {
        let (a, b) = (row.model_a as usize, row.model_b as usize);
        let value = 1.0 - row.mean.or(row.floor).unwrap_or(0.0);
        distance[a][b] = value;
        distance[b][a] = value;
    }
    if models > CLUSTERED {
        let mean: Vec<f64> = distance.iter().map(|d| d.iter().sum()).collect();
        let mut ids: Vec<u32> = (0..models as u32).collect();
        ids.sort_by(|&a, &b| mean[a as usize].total_cmp(&mean[b as usize]).then(a.cmp(&b)));
        return ids;
    }
    let mut members: Vec<Vec<u32>> = (0..models as u32).map(|m| vec![m]).collect();
    let mut alive: Vec<usize> = (0..models).collect();
    while alive.len() > 1 {
        let (mut best, mut x, mut y) = (f64::INFINITY, 0, 1);
        for i in 0..alive.len() {
            for j in i + 1..alive.len() {
                let d = distance[alive[i]][alive[j]];
                if d < best {
                    (best, x, y) = (d, i, j);
                }
            }
        }
        let (a, b) = (alive[x], alive[y]);
        let (na, nb) = (members[a].len() as f64, members[b].len() as f64);
        for &c in alive.iter().filter(|&&c| c != a && c != b) {
            let d = (na * distance[a][c] + nb * distance[b][c]) / (na + nb);
            distance[a][c] = d;
            distance[c][a] = d;
        }
        let moved = std::mem::take(&mut members[b]);
        members[a].extend(moved);
        alive.remove(y);
    }
    alive.first().map(|&root| std::mem::take(&mut members[root])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_models_stand_side_by_side() {
        let pair = |a, b, mean| ModelPairRow { model_a: a, model_b: b, mean: Some(mean), ..Default::default() };
        let rows =
            [pair(0, 1, 0.1), pair(0, 2, 0.9), pair(0, 3, 0.1), pair(1, 2, 0.1), pair(1, 3, 0.8), pair(2, 3, 0.2)];
        assert_eq!(models(&rows, 4), [0, 2, 1, 3]);
    }
}
