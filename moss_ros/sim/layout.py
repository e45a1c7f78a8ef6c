"""Furnishes a home by seed: the furniture by a plan, then the small things on all supports."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import decor, furniture, office, storage, walls
from moss_ros.sim.clutter import fill
from moss_ros.sim.placing import REST_M, Placer
from moss_ros.sim.scene import FLOOR_ID, Light, Placed, Scene
from moss_ros.sim.structure import ceiling_lights, make_room, structure_parts


def make_home(seed: int) -> Scene:
    """A furnished home."""
    return furnish(seed)[0]


def furnish(seed: int) -> tuple[Scene, Placer]:
    """A home and the placer that made it, to change things later."""
    rng = np.random.default_rng([seed, 20])
    two_rooms = bool(rng.random() < 0.4)
    room = make_room(rng, two_rooms)
    structure = structure_parts(rng, room)
    lights = ceiling_lights(rng, room)
    placer = Placer(rng, room)
    lights += _openings(placer)
    _living(placer)
    _storage(placer)
    _working(placer)
    if two_rooms or rng.random() < 0.35:
        _sleeping(placer)
    _dining(placer)
    _extras(placer)
    _wall_things(placer)
    fill(placer)
    scene = Scene(f"sim_home_{seed}", room, structure, tuple(placer.placed), tuple(lights))
    return scene, placer


def _openings(placer: Placer) -> list[Light]:
    """Doors and windows; a window is a lamp too."""
    rng = placer.rng
    door = placer.stand_at_wall(walls.door(rng), gap_m=0.002, walkway_m=0.8)
    if door is not None and rng.random() < 0.7:
        mat = decor.door_mat(rng)
        x, y, _ = door.to_world(np.array([[0.0, -0.45, 0.0]]))[0]
        if placer.free(mat, (float(x), float(y), 0.0003), door.yaw_rad):
            placer.put(mat, (float(x), float(y), 0.0003), door.yaw_rad, FLOOR_ID, "on")
    lights = []
    for _ in range(2):
        outer = int(rng.integers(len(placer.room.polygon_m)))
        window = placer.hang(walls.window(rng), 0.95, wall=outer)
        if window is None:
            continue
        lights.append(_window_light(window))
        wall = placer.walls[outer]
        middle = float((np.array(window.position_m[:2]) - wall.start_m) @ wall.along)
        curtain = walls.curtain(rng)
        for side in (-1, 1):
            along = middle + side * float(window.thing.size_m[0] / 2 + curtain.size_m[0] / 2 + 0.03)
            if 0.3 < along < wall.length_m - 0.3:
                placer.hang(curtain, 0.3, 1, outer, along)
    return lights


def _window_light(window: Placed) -> Light:
    size, c, s = window.thing.size_m, np.cos(window.yaw_rad), np.sin(window.yaw_rad)
    x, y, z = window.to_world(np.array([[0.0, -0.12, size[2] / 2]]))[0]
    w, h = float(size[0]) * 0.85, float(size[2]) * 0.85
    return Light(
        (float(x), float(y), float(z)),
        (float(c) * w, float(s) * w, 0.0),
        (0.0, 0.0, h),
        (float(s), float(-c), 0.0),
        (2.6, 3.0, 3.6),
    )


def _living(placer: Placer) -> None:
    """Sofa, rug, coffee table and television."""
    rng = placer.rng
    sofa = placer.stand_at_wall(furniture.sofa(rng), walkway_m=1.7)
    if sofa is not None:
        _before_sofa(placer, sofa)
    stand = placer.stand_at_wall(storage.tv_stand(rng))
    if stand is not None:
        placer.rest(office.television(rng), stand, stand.thing.supports[0], turn_rad=0.03, at_m=(0.0, 0.04))
    placer.stand_at_wall(furniture.armchair(rng), gap_m=0.12)
    if rng.random() < 0.6:
        placer.stand_at_wall(furniture.side_table(rng), walkway_m=0.2)


def _before_sofa(placer: Placer, sofa: Placed) -> None:
    """A low table, on a rug where there is room for one."""
    rng = placer.rng
    front = float(sofa.thing.lo_m[1])
    rug = decor.rug(rng, (float(rng.uniform(1.7, 2.1)), float(rng.uniform(1.25, 1.45))))
    x, y, _ = sofa.to_world(np.array([[0.0, front - rug.size_m[1] / 2 - 0.05, 0.0]]))[0]
    table = furniture.coffee_table(rng)
    position = (float(x), float(y), REST_M)
    if not placer.free(rug, position, sofa.yaw_rad):
        placer.stand(table, float(x), float(y), sofa.yaw_rad, walkway_m=0.0, ignore_ground=True)
        return
    carpet = placer.put(rug, position, sofa.yaw_rad, FLOOR_ID, "on")
    spot = (float(rng.uniform(-0.1, 0.1)), float(rng.uniform(-0.05, 0.05)))
    placer.rest(table, carpet, rug.supports[0], turn_rad=0.06, at_m=spot)


def _storage(placer: Placer) -> None:
    rng = placer.rng
    for _ in range(2):
        placer.stand_at_wall(storage.bookshelf(rng))
    if rng.random() < 0.75:
        placer.stand_at_wall(storage.kitchen_counter(rng), tries=100)
        placer.stand_at_wall(storage.refrigerator(rng))
    placer.stand_at_wall(storage.cabinet(rng))
    if rng.random() < 0.4:
        placer.stand_at_wall(storage.dresser(rng))


def _working(placer: Placer) -> None:
    """Desk with a computer and a swivel chair."""
    rng = placer.rng
    desk = placer.stand_at_wall(furniture.desk(rng), walkway_m=0.9, tries=100)
    if desk is None:
        return
    top = desk.thing.supports[0]
    back = top.hi_m[1] - 0.13
    place = float(rng.uniform(-0.2, 0.1))
    placer.rest(office.monitor(rng), desk, top, turn_rad=0.08, at_m=(place, back))
    placer.rest(office.keyboard(rng), desk, top, turn_rad=0.08, at_m=(place, top.lo_m[1] + 0.15))
    placer.rest(office.mouse(rng), desk, top, turn_rad=0.3, at_m=(place + 0.3, top.lo_m[1] + 0.14))
    x, y, _ = desk.to_world(np.array([[float(rng.uniform(-0.1, 0.1)), desk.thing.lo_m[1] - 0.33, 0.0]]))[0]
    placer.stand(
        furniture.office_chair(rng),
        float(x),
        float(y),
        desk.yaw_rad + np.pi + float(rng.normal(0, 0.3)),
        walkway_m=0.0,
        ignore_ground=True,
    )


def _sleeping(placer: Placer) -> None:
    """Bed with a chest beside it."""
    rng = placer.rng
    bed = placer.stand_at_wall(furniture.bed(rng), walkway_m=0.4, tries=100)
    if bed is None:
        return
    chest = storage.nightstand(rng)
    for side in (-1, 1):
        along = side * float(bed.thing.size_m[0] / 2 + chest.size_m[0] / 2 + 0.05)
        x, y, _ = bed.to_world(np.array([[along, bed.thing.hi_m[1] - chest.hi_m[1], 0.0]]))[0]
        if placer.stand(chest, float(x), float(y), bed.yaw_rad, 0.01, 0.0) is not None:
            return


def _dining(placer: Placer) -> None:
    """Table in the open with chairs drawn up to it, some of them away from it."""
    rng = placer.rng
    table = placer.stand_free(furniture.dining_table(rng), 200, 0.55) or placer.stand_free(
        furniture.dining_table(rng), 200, 0.3
    )
    if table is None:
        table = placer.stand_at_wall(furniture.dining_table(rng), 100)
    if table is None:
        return
    length, width = float(table.thing.size_m[0]), float(table.thing.size_m[1])
    model = furniture.chair(rng)
    for x, y, yaw in (
        (-length / 4, -width / 2, np.pi),
        (length / 4, -width / 2, np.pi),
        (-length / 4, width / 2, 0.0),
        (length / 4, width / 2, 0.0),
        (-length / 2, 0.0, np.pi / 2),
        (length / 2, 0.0, -np.pi / 2),
    ):
        if rng.random() < 0.25:
            continue
        chair = model if rng.random() < 0.7 else furniture.chair(rng)
        away = float(rng.uniform(0.05, 0.35))
        direction = np.array([np.sign(x) * (y == 0), np.sign(y), 0.0])
        spot = table.to_world((np.array([x, y, 0.0]) + direction * away)[None])[0]
        placer.stand(
            chair,
            float(spot[0]),
            float(spot[1]),
            table.yaw_rad + yaw + float(rng.normal(0, 0.12)),
            walkway_m=0.0,
            ignore_ground=True,
        )


def _extras(placer: Placer) -> None:
    rng = placer.rng
    if placer.room.partition_x_m is not None:
        # Two rooms hold more furniture.
        for build in (storage.bookshelf, storage.dresser, furniture.armchair, storage.cabinet, furniture.side_table):
            placer.stand_at_wall(build(rng))
    for build, chance in (
        (decor.floor_lamp, 0.95),
        (decor.plant, 1.0),
        (storage.trash_can, 1.0),
        (furniture.bench, 0.6),
        (furniture.stool, 0.7),
        (storage.laundry_basket, 0.8),
        (decor.plant, 0.5),
        (walls.radiator, 0.6),
    ):
        if rng.random() < chance:
            placer.stand_at_wall(build(rng), gap_m=0.05, walkway_m=0.0)


def _wall_things(placer: Placer) -> None:
    rng = placer.rng
    for build, height in (
        (walls.picture, 1.3),
        (walls.wall_clock, 1.75),
        (walls.mirror, 1.0),
        (walls.picture, 1.35),
        (walls.picture, 1.25),
    ):
        placer.hang(build(rng), height + float(rng.uniform(-0.05, 0.1)))
    points = np.array(placer.room.polygon_m)
    x, y = points.min(0) + (points.max(0) - points.min(0)) * np.array([0.45, 0.5])
    placer.hang_from_ceiling(walls.ceiling_lamp(rng), float(x) + 0.3, float(y))
